/** The panel beside the page; the same page in a tab is the full-size view (`sidepanel.html?phone=…&full=1`). */
import { mountPage } from "../../components/page.tsx";
import { Panel } from "../../screens/panel/panel.tsx";
import { panelPlace } from "../../screens/panel/panel-place.ts";
import { createApp } from "../../state/app.ts";
import { PageProvider } from "../../state/app-context.tsx";
import { createPhonesStore } from "../../state/phones.ts";

const app = createApp();
const phones = createPhonesStore(app);
mountPage(
  <PageProvider parts={{ app, phones }}>
    <Panel place={panelPlace(location.search)} />
  </PageProvider>,
);
