import { tryCases } from "./commands.fixture.ts";
import { TOUCHING } from "./touching.cases.ts";

tryCases("touches", TOUCHING);
