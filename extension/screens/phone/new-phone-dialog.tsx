/** Makes a phone: what it is in one click, everything else optional. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Phone, PhoneModel } from "../../../shared/phones.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { ChoiceCards } from "../../components/choice-cards.tsx";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { ProfilePicker } from "../../components/profile-picker.tsx";
import { useCall } from "../panel/use-call.ts";
import { type LastRead, useRemote } from "../panel/use-remote.ts";
import { checkNewPhone, emptyNewPhoneDraft, type NewPhoneErrors } from "./model/phone-form.ts";
import { SettingsFields } from "./settings-fields.tsx";

export interface NewPhoneDialogProps {
  /** What starting it costs, in a line. */
  readonly cost: ReactNode;
  /** The models read last, so that the choice is there at once. */
  readonly models: LastRead<readonly PhoneModel[]>;
  readonly onClose: () => void;
  readonly onMade: (phone: Phone) => void;
}

const KINDS = [
  { id: "web", label: "Web phone", detail: "A mobile browser" },
  { id: "android", label: "Android", detail: "With its own apps" },
] as const;
type Kind = (typeof KINDS)[number]["id"];

const readModels = (api: Api): Promise<readonly PhoneModel[]> => api.phones.models.query();

export function NewPhoneDialog({ cost, models: last, onClose, onMade }: NewPhoneDialogProps) {
  const [draft, setDraft] = useState(emptyNewPhoneDraft);
  const [errors, setErrors] = useState<NewPhoneErrors>({});
  const [expanded, setExpanded] = useState(false);
  const [kind, setKind] = useState<Kind>("web");
  const [modelId, setModelId] = useState<string>();
  const models = useRemote(readModels, last);
  // One key for one opening of the dialog: clicking twice, or again after a lost answer, makes one phone.
  const key = useRef(crypto.randomUUID());
  const calls = useCall();

  const known = models.value ?? [];
  const free = known.filter(({ unavailable }) => unavailable === undefined);
  const model = free.find(({ id }) => id === modelId) ?? free[0];
  const android = kind === "android" && known.length > 0;

  const make = async () => {
    const checked = checkNewPhone(android ? { ...draft, model } : draft, key.current);
    if (!checked.ok) {
      setErrors(checked.errors);
      if (Object.keys(checked.errors).some((field) => field !== "name")) setExpanded(true);
      return;
    }
    const result = await calls.run("launch", (api) => api.phones.launch.mutate(checked.value));
    if (result?.ok === true) return onMade(result.value);
    // The server refused this very request: a changed one is a new intent.
    if (result?.failure.kind === "refused") key.current = crypto.randomUUID();
    // What was free may have been taken meanwhile.
    if (android) models.reload();
  };
  // A request for another kind of phone is another intent.
  const what = android ? model?.id : "web";
  // biome-ignore lint/correctness/useExhaustiveDependencies: this is what a request is about
  useEffect(() => {
    key.current = crypto.randomUUID();
  }, [what]);

  return (
    <FormDialog
      title="New phone"
      verb="Make and start"
      icon="start"
      busy={calls.busy("launch")}
      blocked={android && model === undefined}
      onSubmit={() => void make()}
      onClose={onClose}
    >
      {known.length > 0 && (
        <ChoiceCards label="Kind of phone" beside choices={KINDS} chosen={kind} onChoose={setKind} />
      )}
      {models.value === undefined && models.failure !== undefined && (
        <p className="models-failed secondary" role="status">
          Whether there are Android phones could not be asked.
          <Button kind="quiet" size="small" onClick={models.reload}>
            Try again
          </Button>
        </p>
      )}
      {android ? (
        <>
          <ChoiceCards
            label="Android phone"
            choices={known.map(({ id, label, detail, unavailable }) => ({
              id,
              label,
              ...(detail !== undefined && { detail }),
              ...(unavailable !== undefined && { unavailable }),
            }))}
            chosen={model?.id}
            onChoose={setModelId}
          />
          {model === undefined && (
            <p className="none-free secondary" role="status">
              None can be used now.
              <Button size="small" busy={models.loading} onClick={models.reload}>
                Look again
              </Button>
            </p>
          )}
        </>
      ) : (
        <ProfilePicker chosen={draft.profile} onChoose={(profile) => setDraft({ ...draft, profile })} />
      )}
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
          android={android}
          onChange={(settings) => setDraft({ ...draft, settings })}
        />
      </details>
      {cost}
    </FormDialog>
  );
}
