/** How the phone presents itself to pages: the fields shared by a new phone and an existing one. */
import { useId } from "react";
import { SelectField, TextField } from "../../components/field.tsx";
import type { SettingsDraft, SettingsErrors } from "./model/phone-form.ts";

export interface SettingsFieldsProps {
  readonly draft: SettingsDraft;
  readonly errors: SettingsErrors;
  /** A device with settings of its own, not a browser that presents itself. */
  readonly android: boolean;
  readonly onChange: (draft: SettingsDraft) => void;
}

const COLOR_SCHEMES = [
  { value: "", label: "As the server's" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const;
/** Suggestions; any locale or zone can be typed. */
const COMMON_LOCALES = ["en-GB", "en-US", "de-DE", "es-ES", "fr-FR", "it-IT", "ja-JP", "ko-KR", "pt-BR", "zh-CN"];

const ANDROID_SCHEMES = [{ value: "", label: "The device's" }, COLOR_SCHEMES[1], COLOR_SCHEMES[2]] as const;

export function SettingsFields({ draft, errors, android, onChange }: SettingsFieldsProps) {
  const id = useId();
  const set = (change: Partial<SettingsDraft>) => onChange({ ...draft, ...change });
  return (
    <div className="settings-fields">
      <div className="field-pair">
        <TextField
          label="Language"
          placeholder="en-GB"
          list={`${id}-locales`}
          value={draft.locale}
          {...(errors.locale !== undefined && { error: errors.locale })}
          onChange={(event) => set({ locale: event.target.value })}
        />
        <SelectField
          label="Appearance"
          options={android ? ANDROID_SCHEMES : COLOR_SCHEMES}
          value={draft.colorScheme}
          onChange={(event) => {
            const chosen = COLOR_SCHEMES.find((scheme) => scheme.value === event.target.value);
            if (chosen !== undefined) set({ colorScheme: chosen.value });
          }}
        />
      </div>
      <TextField
        label="Time zone"
        placeholder="Europe/Berlin"
        list={`${id}-zones`}
        value={draft.timeZone}
        {...(errors.timeZone !== undefined && { error: errors.timeZone })}
        onChange={(event) => set({ timeZone: event.target.value })}
      />
      <div className="field-pair">
        <TextField
          label="Latitude"
          placeholder="52.52"
          inputMode="decimal"
          value={draft.latitude}
          {...(errors.latitude !== undefined && { error: errors.latitude })}
          onChange={(event) => set({ latitude: event.target.value })}
        />
        <TextField
          label="Longitude"
          placeholder="13.40"
          inputMode="decimal"
          value={draft.longitude}
          {...(errors.longitude !== undefined && { error: errors.longitude })}
          onChange={(event) => set({ longitude: event.target.value })}
        />
      </div>
      <p className="field-hint">
        {android
          ? "Set on the device, where its Android allows it. Empty fields leave it as it is."
          : "Pages on the phone see these. Empty fields use the server's own."}
      </p>
      <datalist id={`${id}-locales`}>
        {COMMON_LOCALES.map((locale) => (
          <option key={locale} value={locale} />
        ))}
      </datalist>
      <datalist id={`${id}-zones`}>
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </div>
  );
}
