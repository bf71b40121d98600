/** Dialogs about one phone: rename, settings, remove. */
import { useRef, useState } from "react";
import { type Phone, phoneName } from "../../../shared/phones.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";
import { checkSettings, checkTags, type SettingsErrors, settingsDraft } from "./model/phone-form.ts";
import { byteSize } from "./model/run-time.ts";
import { SettingsFields } from "./settings-fields.tsx";

interface PhoneDialogProps {
  readonly phone: Phone;
  readonly onClose: () => void;
}

function RenameDialog({ phone, onClose }: PhoneDialogProps) {
  const [name, setName] = useState(phone.name);
  const [error, setError] = useState<string>();
  const calls = useCall();
  const save = async () => {
    const checked = phoneName.safeParse(name);
    if (!checked.success) {
      setError(checked.error.issues[0]?.message ?? "Give the phone a name.");
      return;
    }
    const result = await calls.run("rename", (api) => api.phones.rename.mutate({ phoneId: phone.id, name }));
    if (result?.ok === true) onClose();
  };
  return (
    <Dialog
      title="Rename phone"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={calls.busy("rename")} type="submit" form="rename-phone">
            Rename
          </Button>
        </>
      }
    >
      <form
        id="rename-phone"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField
          label="Name"
          value={name}
          {...(error !== undefined && { error })}
          onFocus={(event) => event.target.select()}
          onChange={(event) => {
            setName(event.target.value);
            setError(undefined);
          }}
        />
      </form>
    </Dialog>
  );
}

function SettingsDialog({ phone, onClose }: PhoneDialogProps) {
  const [draft, setDraft] = useState(() => settingsDraft(phone.settings));
  const [tags, setTags] = useState(() => phone.tags.join(", "));
  const [errors, setErrors] = useState<SettingsErrors>({});
  const [tagsError, setTagsError] = useState<string>();
  const calls = useCall();
  const save = async () => {
    const checked = checkSettings(draft);
    const words = checkTags(tags);
    setErrors(checked.ok ? {} : checked.errors);
    setTagsError(words.ok ? undefined : words.errors);
    if (!checked.ok || !words.ok) return;
    const settings = checked.value;
    const phoneId = phone.id;
    const retagged = words.value.toSorted().join() !== phone.tags.join();
    const result = await calls.run("configure", async (api) => {
      if (retagged) await api.phones.tag.mutate({ phoneId, tags: [...words.value] });
      await api.phones.configure.mutate({ phoneId, settings });
    });
    if (result?.ok === true) onClose();
  };
  return (
    <Dialog
      title={`Settings of ${phone.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={calls.busy("configure")} type="submit" form="phone-settings">
            Save
          </Button>
        </>
      }
    >
      <form
        id="phone-settings"
        className="settings-fields"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField
          label="Tags"
          placeholder="shop, nightly"
          hint="Words to group phones by. Automations can run on all phones of one."
          value={tags}
          {...(tagsError !== undefined && { error: tagsError })}
          onChange={(event) => setTags(event.target.value)}
        />
        <SettingsFields draft={draft} errors={errors} android={phone.capabilities.android} onChange={setDraft} />
      </form>
    </Dialog>
  );
}

/** Says what will be gone before, and what was wiped after. */
function RemoveDialog({ phone, onClose }: PhoneDialogProps) {
  const key = useRef(crypto.randomUUID());
  const calls = useCall();
  const toast = useToast();
  // A registered device is cleared from inside; containers and a partner's phones are gone as a whole.
  const lent = phone.model?.startsWith("device:") === true;
  const remove = async () => {
    const idempotencyKey = key.current;
    const result = await calls.run("remove", (api) => api.phones.remove.mutate({ phoneId: phone.id, idempotencyKey }));
    if (result?.ok !== true) return;
    const { files, bytes, verifiedAbsent } = result.value.receipt;
    toast({
      text: `${phone.name} is removed: ${files === 1 ? "1 file" : `${files.toLocaleString()} files`}, ${byteSize(bytes)} wiped${verifiedAbsent ? " and checked" : ""}.`,
    });
    onClose();
  };
  return (
    <Dialog
      title={`Remove ${phone.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" icon="trash" busy={calls.busy("remove")} onClick={() => void remove()}>
            Remove
          </Button>
        </>
      }
    >
      <p>These will be gone, and cannot be brought back:</p>
      <ul className="bullets">
        {phone.capabilities.android ? (
          <>
            <li>its apps, and everything they keep on the phone</li>
            <li>{lent ? "accounts signed in to in those apps" : "accounts signed in to on it"}</li>
            <li>the files on it</li>
          </>
        ) : (
          <>
            <li>everything signed in to and saved by pages on the phone</li>
            <li>its installed web apps, open pages and history</li>
            <li>the files it downloaded</li>
          </>
        )}
      </ul>
      {lent && (
        <p className="secondary">
          This is no factory reset: accounts and Wi-Fi networks added in Android's own settings stay on the device, and
          so does a screen lock. Take them away there first.
        </p>
      )}
      <p className="secondary">To free the phone and keep all of it, park it instead.</p>
    </Dialog>
  );
}

export const PHONE_DIALOGS = { rename: RenameDialog, settings: SettingsDialog, remove: RemoveDialog } as const;
