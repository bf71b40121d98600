import { DEVICE_PROFILES, type DeviceProfileId } from "../../shared/phone-model.ts";
import { Icon } from "./icon.tsx";
import "./profile-picker.css";

export interface ProfilePickerProps {
  /** Shown as pressed; absent when a click acts at once. */
  readonly chosen?: DeviceProfileId;
  readonly disabled?: boolean;
  readonly onChoose: (profile: DeviceProfileId) => void;
}

/** The device profiles side by side, each drawn in its own proportions. */
export function ProfilePicker({ chosen, disabled = false, onChoose }: ProfilePickerProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset's legend cannot be laid out in the row
    <div className="profile-picker" role="group" aria-label="Kind of phone">
      {DEVICE_PROFILES.map((profile) => (
        <button
          key={profile.id}
          type="button"
          className="profile"
          disabled={disabled}
          aria-pressed={chosen === undefined ? undefined : chosen === profile.id}
          onClick={() => onChoose(profile.id)}
        >
          <span
            className="profile-shape"
            style={{ width: Math.round(profile.width / 24), height: Math.round(profile.height / 24) }}
          />
          <span className="profile-name">
            {chosen === profile.id && <Icon name="check" />}
            {profile.label}
          </span>
          <span className="secondary tabular">
            {profile.width} × {profile.height}
          </span>
        </button>
      ))}
    </div>
  );
}
