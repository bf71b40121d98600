/** Every address of Stripe's API that the sandbox answers. */
import type { Routes } from "./calls.ts";
import { catalogue } from "./catalogue.ts";
import { checkoutSessions } from "./checkout-session.ts";
import { customers } from "./customers.ts";
import { events } from "./events.ts";
import { invoiceItems } from "./invoice-items.ts";
import { invoices } from "./invoices.ts";
import { meters } from "./meters.ts";
import { paymentIntents, paymentMethods } from "./payment-methods.ts";
import { portal } from "./portal.ts";
import { previews } from "./preview.ts";
import { refunds } from "./refunds.ts";
import { setupIntents } from "./setup-intents.ts";
import { subscriptionItems } from "./subscription-items.ts";
import { subscriptions } from "./subscriptions.ts";
import { testClocks } from "./test-clocks.ts";

/** In the order they are matched in: what is exact before what takes an id. */
export const ROUTES: Routes = {
  ...customers,
  ...catalogue,
  ...checkoutSessions,
  ...subscriptions,
  ...subscriptionItems,
  ...previews,
  ...invoices,
  ...invoiceItems,
  ...paymentMethods,
  ...paymentIntents,
  ...setupIntents,
  ...refunds,
  ...portal,
  ...meters,
  ...testClocks,
  ...events,
};
