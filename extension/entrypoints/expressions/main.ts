/** Chrome's page without a window (`rules/expression-messages.ts`). */
import { answerExpressions } from "../../rules/expression-messages.ts";
import { evaluateHere } from "../../rules/expressions-here.ts";

answerExpressions(evaluateHere);
