import { mountPage } from "../../components/page.tsx";
import { Options } from "../../screens/options/options.tsx";
import { PageProvider } from "../../state/app-context.tsx";
import { createLightApp } from "../../state/light-app.ts";
import { createPhonesStore } from "../../state/phones.ts";

const app = createLightApp();
const parts = { app, phones: createPhonesStore(app) };
await parts.phones.hydrate();
mountPage(
  <PageProvider parts={parts}>
    <Options settings={await app.settings.get()} />
  </PageProvider>,
);
