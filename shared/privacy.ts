/** First version of what a person sees about their data; all of it derived from the server's data map. */

/** One category of data the service holds about the person. */
export interface HeldCategory {
  /** fideslang data category, e.g. `user.contact.email`. */
  readonly category: string;
  readonly label: string;
  /** Why, in words. */
  readonly purpose: string;
  readonly items: number;
  /** ISO 8601; absent when there is none. */
  readonly oldestAt?: string;
  /** When it goes, in words derived from the retention rule. */
  readonly leaves: string;
  /** Where it lives, in words. */
  readonly place: string;
}

/** Answer of `privacy.overview`. */
export interface PrivacyOverview {
  readonly categories: readonly HeldCategory[];
  readonly processors: readonly { readonly id: string; readonly name: string; readonly purpose: string }[];
  readonly policy: { readonly version: number; readonly effectiveAt: string; readonly url: string };
  readonly supportUrl: string;
}
