import { mountPage } from "../../components/page.tsx";
import { Options } from "../../screens/options/options.tsx";
import { createApp } from "../../state/app.ts";
import { PageProvider } from "../../state/app-context.tsx";
import { createPhonesStore } from "../../state/phones.ts";

const app = createApp();
const parts = { app, phones: createPhonesStore(app) };
await parts.phones.hydrate();
mountPage(
  <PageProvider parts={parts}>
    <Options settings={await app.settings.get()} />
  </PageProvider>,
);
