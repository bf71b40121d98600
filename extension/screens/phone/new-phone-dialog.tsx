/** Makes a phone: its size in one click, everything else optional. */
import { type ReactNode, useRef, useState } from "react";
import type { Phone } from "../../../shared/phones.ts";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { ProfilePicker } from "../../components/profile-picker.tsx";
import { useCall } from "../panel/use-call.ts";
import { checkNewPhone, emptyNewPhoneDraft, type NewPhoneErrors } from "./model/phone-form.ts";
import { SettingsFields } from "./settings-fields.tsx";

export interface NewPhoneDialogProps {
  /** What starting it costs, in a line. */
  readonly cost: ReactNode;
  readonly onClose: () => void;
  readonly onMade: (phone: Phone) => void;
}

export function NewPhoneDialog({ cost, onClose, onMade }: NewPhoneDialogProps) {
  const [draft, setDraft] = useState(emptyNewPhoneDraft);
  const [errors, setErrors] = useState<NewPhoneErrors>({});
  const [expanded, setExpanded] = useState(false);
  // One key for one opening of the dialog: clicking twice, or again after a lost answer, makes one phone.
  const key = useRef(crypto.randomUUID());
  const calls = useCall();

  const make = async () => {
    const checked = checkNewPhone(draft, key.current);
    if (!checked.ok) {
      setErrors(checked.errors);
      if (Object.keys(checked.errors).some((field) => field !== "name")) setExpanded(true);
      return;
    }
    const result = await calls.run("launch", (api) => api.phones.launch.mutate(checked.value));
    if (result?.ok === true) onMade(result.value);
    // The server refused this very request: a changed one is a new intent.
    else if (result?.failure.kind === "refused") key.current = crypto.randomUUID();
  };

  return (
    <FormDialog
      title="New phone"
      verb="Make and start"
      icon="start"
      busy={calls.busy("launch")}
      onSubmit={() => void make()}
      onClose={onClose}
    >
      <ProfilePicker chosen={draft.profile} onChoose={(profile) => setDraft({ ...draft, profile })} />
      <TextField
        label="Name"
        placeholder="Chosen for you when empty"
        maxLength={80}
        value={draft.name}
        {...(errors.name !== undefined && { error: errors.name })}
        onChange={(event) => setDraft({ ...draft, name: event.target.value })}
      />
      <details className="disclosure" open={expanded} onToggle={(event) => setExpanded(event.currentTarget.open)}>
        <summary>
          <Icon name="chevronRight" />
          Language, time zone, appearance, location
        </summary>
        <SettingsFields
          draft={draft.settings}
          errors={errors}
          onChange={(settings) => setDraft({ ...draft, settings })}
        />
      </details>
      {cost}
    </FormDialog>
  );
}
