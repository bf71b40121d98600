import { tryCases } from "./commands.fixture.ts";
import { HARD } from "./hard.cases.ts";

tryCases("reaches", HARD);
