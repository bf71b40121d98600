/** Every key of the panel. Keys typed while the picture has the focus go to the phone. */
import { Dialog } from "../../components/dialog.tsx";
import { SHORTCUTS } from "./model/shortcuts.ts";

const PICTURE_KEYS: readonly (readonly [keys: readonly string[], words: string])[] = [
  [["Enter"], "On the picture: type on the phone"],
  [["Esc", "Esc"], "Leave the phone's picture"],
];
const ROWS = [...PICTURE_KEYS, ...SHORTCUTS.map(({ key, words }) => [[key.toUpperCase()], words] as const)];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {ROWS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the same key may come twice, in a fixed order
                <kbd className="key" key={index}>
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="secondary">While the picture has the focus, every key goes to the phone.</p>
    </Dialog>
  );
}
