import { tryCases } from "./commands.fixture.ts";
import { PHONE } from "./phone.cases.ts";

tryCases("sets and steers", PHONE);
