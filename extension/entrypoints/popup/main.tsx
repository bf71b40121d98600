import { mountPage } from "../../components/page.tsx";
import { shortcuts } from "../../platform/commands.ts";
import { activeTab } from "../../platform/tabs.ts";
import { Popup } from "../../screens/popup/popup.tsx";
import { PageProvider } from "../../state/app-context.tsx";
import { createLightApp } from "../../state/light-app.ts";
import { createPhonesStore } from "../../state/phones.ts";

const app = createLightApp();
const parts = { app, phones: createPhonesStore(app) };
// What is stored is there within a few milliseconds, so the first frame is already true.
const [tab, keys] = await Promise.all([activeTab(), shortcuts(), parts.phones.hydrate()]);
mountPage(
  <PageProvider parts={parts}>
    <Popup tab={tab} shortcuts={keys} />
  </PageProvider>,
);
