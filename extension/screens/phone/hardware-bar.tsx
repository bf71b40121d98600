/** The phone's own buttons, and what a computer adds: picture of the screen, pasting, this tab's page. */
import type { PhoneCapabilities } from "../../../shared/phones.ts";
import type { PhoneKey } from "../../../shared/screen-protocol.ts";
import { IconButton } from "../../components/button.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";

export interface HardwareBarProps {
  readonly capabilities: PhoneCapabilities;
  /** Live and in control: the buttons do something. */
  readonly usable: boolean;
  /** A picture can be taken even by those who only watch. */
  readonly canPicture: boolean;
  readonly mayOpen: boolean;
  readonly typing: boolean;
  readonly busy: (key: string) => boolean;
  readonly onKey: (key: PhoneKey) => void;
  readonly onRotate: () => void;
  readonly onScreenshot: () => void;
  readonly onType: () => void;
  /** Absent where the phone cannot be heard. */
  readonly sound: { readonly on: boolean; readonly onToggle: () => void } | undefined;
  /** Absent until it can be said, and where nothing can be recorded. */
  readonly recording: RecordButton | undefined;
  readonly onPaste: () => void;
  /** Absent where there is no page beside the phone. */
  readonly onOpenTab: (() => void) | undefined;
  /** What the tab's page is, as far as that is known. */
  readonly openTabLabel: string;
  /** Which side of the bar has room for the menu. */
  readonly menuSide: "above" | "below";
  readonly menu: readonly (MenuItem | "separator")[];
}

export interface RecordButton {
  readonly on: boolean;
  readonly busy: boolean;
  readonly onToggle: () => void;
}

export function HardwareBar(props: HardwareBarProps) {
  const { capabilities, usable, busy } = props;
  return (
    <div className="hardware-bar" role="toolbar" aria-label="Phone buttons">
      <IconButton icon="back" label="Back" disabled={!usable} onClick={() => props.onKey("Back")} />
      <IconButton icon="home" label="Home" disabled={!usable} onClick={() => props.onKey("Home")} />
      {capabilities.recents && (
        <IconButton icon="recents" label="Recents" disabled={!usable} onClick={() => props.onKey("AppSwitch")} />
      )}
      <span className="bar-gap" />
      {capabilities.rotate && (
        <IconButton icon="rotate" label="Rotate" disabled={!usable} busy={busy("rotate")} onClick={props.onRotate} />
      )}
      <IconButton
        icon="camera"
        label="Screenshot"
        disabled={!props.canPicture}
        busy={busy("screenshot")}
        onClick={props.onScreenshot}
      />
      <IconButton icon="keyboard" label="Type" disabled={!usable} pressed={props.typing} onClick={props.onType} />
      {capabilities.clipboard && (
        <IconButton icon="clipboard" label="Paste from this computer" disabled={!usable} onClick={props.onPaste} />
      )}
      {props.sound !== undefined && (
        <IconButton
          icon={props.sound.on ? "sound" : "mute"}
          label="Sound"
          disabled={!props.canPicture}
          pressed={props.sound.on}
          onClick={props.sound.onToggle}
        />
      )}
      {props.recording !== undefined && (
        <IconButton
          icon="record"
          label={props.recording.on ? "Stop recording" : "Record"}
          disabled={!usable && !props.recording.on}
          pressed={props.recording.on}
          busy={props.recording.busy}
          onClick={props.recording.onToggle}
        />
      )}
      <span className="bar-gap" />
      {props.onOpenTab !== undefined && capabilities.openUrl && (
        <IconButton
          icon="open"
          label={props.openTabLabel}
          disabled={!props.mayOpen}
          busy={busy("open")}
          tooltip="above"
          onClick={props.onOpenTab}
        />
      )}
      <Menu
        label="More"
        side={props.menuSide}
        items={props.menu}
        trigger={(trigger) => <IconButton {...trigger} icon="more" label="More" tooltip="left" />}
      />
    </div>
  );
}
