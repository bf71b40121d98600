/** An address to open on the phone, typed; closes with Escape or when it is opened. */
import { useId, useState } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { checkAddress } from "./model/phone-form.ts";

export interface AddressBarProps {
  readonly busy: boolean;
  readonly onOpen: (url: string) => void;
  readonly onClose: () => void;
}

export function AddressBar({ busy, onOpen, onClose }: AddressBarProps) {
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  const errorId = useId();
  return (
    <form
      className="address-bar"
      onSubmit={(event) => {
        event.preventDefault();
        const checked = checkAddress(text);
        if (checked.ok) onOpen(checked.value);
        else setError(checked.errors);
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      <div className="address-row">
        <input
          // The person asked for this field; typing is the next thing they do.
          // biome-ignore lint/a11y/noAutofocus: opened by a click on "Open an address"
          autoFocus
          className="control"
          type="text"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder="example.com"
          aria-label="Address to open on the phone"
          aria-invalid={error !== undefined || undefined}
          aria-describedby={error === undefined ? undefined : errorId}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setError(undefined);
          }}
        />
        <Button type="submit" kind="primary" busy={busy}>
          Open
        </Button>
        <IconButton icon="close" label="Close" tooltip="left" onClick={onClose} />
      </div>
      {error !== undefined && (
        <p className="field-error" id={errorId} role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
