import { tryCases } from "./commands.fixture.ts";
import { TYPING } from "./typing.cases.ts";

tryCases("types", TYPING);
