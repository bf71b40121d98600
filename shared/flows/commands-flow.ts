/** Commands that steer the flow or run scripts, and those that no phone of ours can do. */
import { type CommandSpec, type CommandTable, readCondition, readSteps } from "./command-spec.ts";
import { present } from "./reader.ts";

const PLAIN_ACTIONS = ["back", "hideKeyboard", "scroll", "clearKeychain", "pasteText"] as const;

/** Valid Maestro that needs Maestro's own AI service. */
function needsMaestroCloud(command: string, short: string | undefined, fields: readonly string[]): CommandSpec {
  return {
    fields,
    ...(short === undefined ? {} : { short }),
    bare: short === undefined,
    example: short === undefined ? command : `${command}: …`,
    optionalByDefault: true,
    read(read) {
      if (short !== undefined && read.needed(short, `${short}: …`) === undefined) return undefined;
      read.reader.warn(
        read.place,
        `\`${command}\` needs Maestro's own cloud, so no phone here can do it; the step will be refused.`,
      );
      return { name: "unsupported", command };
    },
  };
}

export const FLOW_COMMANDS: CommandTable = {
  runFlow: {
    fields: ["file", "commands", "when", "env"],
    short: "file",
    bare: false,
    example: "runFlow: login.yaml",
    mistakes: {
      visible: "Put it under `when:`.",
      notVisible: "Put it under `when:`.",
      true: "Put it under `when:`.",
      platform: "Put it under `when:`.",
      if: "Did you mean `when`?",
      else: "There is no else; add a second `runFlow` with the opposite `when:`.",
      flow: "Did you mean `file`?",
    },
    read(fields, context) {
      const when = readCondition(fields, "when");
      const env = fields.texts("env") ?? {};
      const steps = readSteps(fields, context);
      return steps && present({ name: "runFlow", steps, when, env });
    },
  },
  repeat: {
    fields: ["times", "while", "commands"],
    bare: false,
    example: "repeat: {times: 3, commands: [scroll]}",
    mistakes: {
      until: "Use `while:` with the opposite condition.",
      when: "Did you mean `while`?",
      file: "Put `- runFlow: …` under `commands:`.",
    },
    read(fields, context) {
      const node = fields.node("commands");
      if (node === undefined) return fields.missing("commands", "commands: [scroll]");
      const times = fields.numberText("times", { min: 0, max: 1_000_000, whole: false }, "expressions");
      const condition = readCondition(fields, "while");
      if (fields.node("times") === undefined && fields.node("while") === undefined) {
        fields.reader.warn(
          fields.place,
          "`repeat` has neither `times:` nor `while:`, so it goes on until a limit stops it.",
        );
      }
      return present({
        name: "repeat",
        times,
        while: condition,
        commands: context.steps(node, `${context.path}.commands`),
      });
    },
  },
  retry: {
    fields: ["maxRetries", "file", "commands", "env"],
    bare: false,
    example: "retry: {maxRetries: 2, commands: [back]}",
    mistakes: {
      times: "Did you mean `maxRetries`?",
      retries: "Did you mean `maxRetries`?",
      max: "Did you mean `maxRetries`?",
    },
    read(fields, context) {
      const maxRetries = fields.numberText("maxRetries", { min: 0, max: 1000, whole: true }, "expressions") ?? "1";
      const env = fields.texts("env") ?? {};
      const steps = readSteps(fields, context);
      return steps && { name: "retry", maxRetries, steps, env };
    },
  },
  assertTrue: {
    fields: ["condition"],
    short: "condition",
    bare: false,
    example: "assertTrue: ${output.total > 0}",
    read(fields) {
      const condition = fields.needed("condition", "condition: ${output.total > 0}");
      return condition === undefined ? undefined : { name: "assertTrue", condition };
    },
  },
  evalScript: {
    fields: ["script"],
    short: "script",
    bare: false,
    example: "evalScript: ${output.total = 3}",
    mistakes: { file: "Did you mean the command `runScript`?" },
    read(fields) {
      const script = fields.needed("script", "script: ${output.total = 3}");
      return script === undefined ? undefined : { name: "evalScript", script };
    },
  },
  runScript: {
    fields: ["file", "env", "when"],
    short: "file",
    bare: false,
    example: "runScript: total.js",
    mistakes: { script: "Use `evalScript` for a script in place; `runScript` takes `file:`." },
    read(fields) {
      const file = fields.needed("file", "file: total.js");
      const env = fields.texts("env") ?? {};
      const when = readCondition(fields, "when");
      return file === undefined ? undefined : present({ name: "runScript", file, env, when });
    },
  },
  action: {
    fields: ["action"],
    short: "action",
    bare: false,
    example: "action: back",
    read(fields) {
      const name = fields.word("action", PLAIN_ACTIONS);
      return name && { name };
    },
  },
  assertWithAI: needsMaestroCloud("assertWithAI", "assertion", ["assertion"]),
  assertNoDefectsWithAI: needsMaestroCloud("assertNoDefectsWithAI", undefined, []),
  extractTextWithAI: needsMaestroCloud("extractTextWithAI", "query", ["query", "outputVariable"]),
};
