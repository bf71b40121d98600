/** Errors in Stripe's envelope, so that the SDK makes its own classes of them. */
export interface StripeErrorBody {
  readonly type: "invalid_request_error" | "card_error" | "idempotency_error" | "api_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly payment_intent?: object;
  readonly payment_method?: object;
  readonly charge?: string;
}

export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly status: number;
  readonly body: StripeErrorBody;
  /**
   * `kept`: what was written before it stays, as a declined payment leaves its traces. `unread`: the request's parameters
   * made no sense, so nothing ran and an idempotency key is not used up.
   */
  readonly effect: "none" | "kept" | "unread";

  constructor(status: number, body: StripeErrorBody, effect: SandboxError["effect"] = "none") {
    super(body.message);
    this.status = status;
    this.body = body;
    this.effect = effect;
  }
}

/** A request that cannot be: 400. */
export function invalid(message: string, param?: string, code?: string): SandboxError {
  return new SandboxError(400, {
    type: "invalid_request_error",
    message,
    ...(param !== undefined && { param }),
    ...(code !== undefined && { code }),
  });
}

/** Something named in the address (404) or, with `param`, in a parameter (400) is not there. */
export function missing(what: string, id: string, param?: string): SandboxError {
  return new SandboxError(param === undefined ? 404 : 400, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${what}: '${id}'`,
    param: param ?? "id",
  });
}

export function unknownUrl(method: string, path: string): SandboxError {
  return new SandboxError(404, {
    type: "invalid_request_error",
    message: `Unrecognized request URL (${method}: ${path}). The billing sandbox does not model it, or it does not exist.`,
  });
}
