import { tryCases } from "./commands.fixture.ts";
import { MOVING } from "./moving.cases.ts";

tryCases("moves and waits", MOVING);
