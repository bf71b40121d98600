/** What reading Stripe and asking Stripe need of each other: whoever has an object in hand hands it to the one who mirrors it. */
import type Stripe from "stripe";

export interface StripeMirror {
  /** Gives what a session bought, once, whether the person or a webhook comes first. `fetchedAt`: when reading it began. */
  fulfil(session: Stripe.Checkout.Session, fetchedAt: Date): Promise<void>;
  subscription(subscription: Stripe.Subscription, fetchedAt: Date): Promise<void>;
}
