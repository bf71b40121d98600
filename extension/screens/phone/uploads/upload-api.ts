/** `phones.openUpload`, `phones.uploads` and `phones.cancelUpload`, as `shared/uploads.ts` has them. */
import type { PhoneId, UploadId } from "../../../../shared/ids.ts";
import type { Upload, UploadPurpose } from "../../../../shared/uploads.ts";
import type { Api } from "../../../api/client.ts";

export interface UploadApi {
  readonly openUpload: {
    mutate(input: { phoneId: PhoneId; purpose: UploadPurpose; name: string; bytes: number }): Promise<Upload>;
  };
  readonly uploads: { query(input: { phoneId: PhoneId }): Promise<readonly Upload[]> };
  readonly cancelUpload: { mutate(input: { phoneId: PhoneId; uploadId: UploadId }): Promise<object> };
}

/** The client answers any name; the server has these three. */
export function uploadApi(api: Api): UploadApi {
  return api.phones as unknown as UploadApi;
}
