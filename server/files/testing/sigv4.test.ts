/** The examples AWS publishes: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk" and "Authenticating Requests: Using Query Parameters". */
import { AwsV4Signer } from "aws4fetch";
import { describe, expect, it } from "vitest";
import { faultOf, type SignedRequest } from "./sigv4.ts";

const KEYS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
};
const AT = Date.UTC(2013, 4, 24);
const HOST = "examplebucket.s3.amazonaws.com";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SCOPE = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

interface Example {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
}
const EXAMPLES: readonly Example[] = [
  {
    method: "GET",
    target: "/test.txt",
    headers: { range: "bytes=0-9", "x-amz-content-sha256": EMPTY },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    method: "PUT",
    target: "/test%24file.text",
    headers: {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    },
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    method: "GET",
    target: "/?lifecycle",
    headers: { "x-amz-content-sha256": EMPTY },
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    method: "GET",
    target: "/?max-keys=2&prefix=J",
    headers: { "x-amz-content-sha256": EMPTY },
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];
const PRESIGNED =
  `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(SCOPE)}&X-Amz-Date=20130524T000000Z` +
  "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
  "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

function requestOf({ method, target, headers, signature }: Example): SignedRequest {
  const signed: Record<string, string> = { host: HOST, "x-amz-date": "20130524T000000Z", ...headers };
  const names = Object.keys(signed).sort().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=${names},Signature=${signature}`;
  return { method, target, headers: { ...signed, authorization } };
}

describe("the check of signatures", () => {
  it.each(EXAMPLES.map((one) => [`${one.method} ${one.target}`, one] as const))("takes AWS's example %s", (_, one) => {
    const request = requestOf(one);
    expect(faultOf(request, KEYS, AT)).toBeUndefined();
    expect(faultOf({ ...request, target: `${request.target}x` }, KEYS, AT)).toBe("SignatureDoesNotMatch");
    expect(faultOf({ ...request, method: "POST" }, KEYS, AT)).toBe("SignatureDoesNotMatch");
    const changed = { ...request.headers, "x-amz-content-sha256": "0".repeat(64) };
    expect(faultOf({ ...request, headers: changed }, KEYS, AT)).toBe("SignatureDoesNotMatch");
    expect(faultOf({ ...request, headers: { ...request.headers, "x-amz-acl": "public-read" } }, KEYS, AT)).toBe(
      "AccessDenied",
    );
    expect(faultOf(request, { ...KEYS, secretAccessKey: "another" }, AT)).toBe("SignatureDoesNotMatch");
    expect(faultOf(request, { ...KEYS, accessKeyId: "another" }, AT)).toBe("InvalidAccessKeyId");
    expect(faultOf(request, { ...KEYS, region: "eu-west-1" }, AT)).toBe("AuthorizationHeaderMalformed");
    expect(faultOf(request, KEYS, AT + 3_600_000)).toBe("RequestTimeTooSkewed");
    expect(faultOf({ ...request, headers: { host: HOST } }, KEYS, AT)).toBe("AccessDenied");
  });

  it("takes AWS's example of a presigned address, for as long as it lasts", () => {
    const request = { method: "GET", target: PRESIGNED, headers: { host: HOST } };
    expect(faultOf(request, KEYS, AT)).toBeUndefined();
    expect(faultOf(request, KEYS, AT + 86_400_000)).toBeUndefined();
    expect(faultOf(request, KEYS, AT + 86_401_000)).toBe("AccessDenied");
    const longer = { ...request, target: PRESIGNED.replace("86400", "604800") };
    expect(faultOf(longer, KEYS, AT)).toBe("SignatureDoesNotMatch");
    expect(faultOf({ ...request, target: PRESIGNED.replace("test", "best") }, KEYS, AT)).toBe("SignatureDoesNotMatch");
  });

  it("and the library that signs make the same of AWS's examples", async () => {
    for (const { method, target, headers, signature } of EXAMPLES) {
      const signer = new AwsV4Signer({
        ...{ method, url: `https://${HOST}${target}`, headers, service: "s3", datetime: "20130524T000000Z" },
        ...{ ...KEYS, allHeaders: true },
      });
      expect(await signer.signature()).toBe(signature);
    }
  });
});
