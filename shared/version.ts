/** Version of the contract between extension and server. Raised when an older extension can no longer work. */
export const API_VERSION = 1;
export const PRODUCT_VERSION = "0.1.0";

/** Answer of `GET /healthz`: tells the extension it found a Perch server it can talk to. */
export interface Health {
  readonly product: "perch";
  readonly apiVersion: number;
  readonly version: string;
}
