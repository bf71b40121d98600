import { describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { operational, person, personal } from "../tags.ts";
import { createMask } from "./third-party.ts";

const use = ["essential.service.operations"] as const;
const address = personal("user.contact.email", { use, clause: "P1.2", retain: "account", thirdParty: "address" });
const member = person({ use, clause: "P1.4", retain: "account", thirdParty: "member" });

describe("what is somebody else's in an export", () => {
  const me = { userId: newId("user"), email: "anna@example.com" };

  it("masks addresses of others and keeps the person's own, however it was written", () => {
    const mask = createMask(me);
    expect(mask(address, "ben@dog.example")).toBe("b•••@d•••");
    expect(mask(address, "Anna@Example.com")).toBe("Anna@Example.com");
    expect(mask(address, "@")).toBe("•••@•••");
    expect(mask(operational(), "ben@dog.example")).toBe("ben@dog.example");
  });

  it("numbers people, the same one always with the same number, and leaves things and words", () => {
    const mask = createMask(me);
    const [ben, cleo, phone] = [newId("user"), newId("user"), newId("phone")];
    expect([ben, cleo, ben, me.userId, phone, "operator", null].map((value) => mask(member, value))).toEqual([
      "Member 2",
      "Member 3",
      "Member 2",
      me.userId,
      phone,
      "operator",
      null,
    ]);
  });
});
