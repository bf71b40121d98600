/** The first phone; for someone who has phones already, the way to them. */
import { useEffect, useState } from "react";
import { DEFAULT_PROFILE, type DeviceProfileId } from "../../../shared/phone-model.ts";
import { Button } from "../../components/button.tsx";
import { ProfilePicker } from "../../components/profile-picker.tsx";
import { openPanel } from "../../platform/panel.ts";
import { activeTab, openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import type { Wish } from "../../state/intents.ts";

export function FirstPhoneStep() {
  const { app } = usePage();
  const { phones, defaultPhoneId } = usePhones();
  const [profile, setProfile] = useState<DeviceProfileId>(DEFAULT_PROFILE);
  const [handedOver, setHandedOver] = useState(false);
  const [windowId, setWindowId] = useState<number>();
  // Known before the click: the panel must open before anything is awaited.
  useEffect(() => {
    void activeTab().then((tab) => setWindowId(tab?.windowId));
  }, []);

  const give = (wish: Wish) => {
    const opening = openPanel(windowId);
    void (async () => {
      setHandedOver(true);
      await app.intents.put(wish);
      if (!(await opening).ok) await openTab("/sidepanel.html?full=1");
    })();
  };

  const phone = defaultPhone(phones, defaultPhoneId);
  if (phone !== undefined) {
    return (
      <div className="welcome-form">
        <p>
          {phones.length === 1 ? `${phone.name} is here` : `Your ${phones.length} phones are here`}. Open it from any
          tab with the Perch button in the toolbar.
        </p>
        <div className="welcome-actions">
          <Button kind="primary" icon="panel" onClick={() => give({ type: "show", phoneId: phone.id })}>
            Show {phone.name}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div className="welcome-form">
      <p>Choose its shape. It opens beside this page, keeps everything you do on it, and can be parked at any time.</p>
      <ProfilePicker chosen={profile} onChoose={setProfile} />
      <div className="welcome-actions">
        <Button kind="primary" icon="phone" busy={handedOver} onClick={() => give({ type: "launch", profile })}>
          Start my first phone
        </Button>
      </div>
    </div>
  );
}
