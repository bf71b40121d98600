/** What a phone is, said beside the full-size picture where there is room. */
import { deviceProfile, type Phone } from "../../../shared/phones.ts";

export function PhoneFacts({ phone }: { readonly phone: Phone }) {
  const { settings } = phone;
  const { android } = phone.capabilities;
  const size = `${phone.width} × ${phone.height}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Kind", android ? "Android" : "Web phone"],
    ["Size", android ? size : `${deviceProfile(phone.profile).label}, ${size}`],
    ["Language", settings.locale],
    ["Time zone", settings.timeZone],
    ["Appearance", settings.colorScheme],
    ["Location", settings.geolocation && `${settings.geolocation.latitude}, ${settings.geolocation.longitude}`],
  ];
  return (
    <dl className="phone-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="tabular">{value ?? (android ? "the device's own" : "the server's own")}</dd>
        </div>
      ))}
    </dl>
  );
}
