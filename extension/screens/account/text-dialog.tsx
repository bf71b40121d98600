/** A dialog that asks for one text and says in place what is wrong with it. */
import { type InputHTMLAttributes, type ReactNode, useState } from "react";
import type { Api } from "../../api/client.ts";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";

export interface TextDialogProps extends Pick<InputHTMLAttributes<HTMLInputElement>, "maxLength" | "autoComplete"> {
  readonly title: string;
  readonly label: string;
  readonly type?: "text" | "email";
  readonly initial: string;
  readonly hint?: string;
  /** Nothing is an answer too. */
  readonly optional?: boolean;
  /** On the button that saves. */
  readonly verb: string;
  readonly save: (text: string) => (api: Api) => Promise<unknown>;
  readonly onClose: () => void;
  readonly onSaved: (text: string) => void;
  readonly children?: ReactNode;
}

export function TextDialog(props: TextDialogProps) {
  const {
    title,
    label,
    type = "text",
    initial,
    hint,
    optional = false,
    verb,
    save,
    onClose,
    onSaved,
    children,
    ...input
  } = props;
  const calls = useCall();
  const [text, setText] = useState(initial);
  const [error, setError] = useState<string>();
  const submit = async () => {
    const trimmed = text.trim();
    const missing = trimmed === "" && !optional;
    setError(missing ? "Write something here." : undefined);
    if (missing) return;
    const result = await calls.run("save", save(trimmed), (failure) => {
      setError(refusalSentence(failure));
      return refusalSentence(failure) !== undefined;
    });
    if (result?.ok === true) onSaved(trimmed);
  };
  return (
    <FormDialog title={title} verb={verb} busy={calls.busy("save")} onSubmit={() => void submit()} onClose={onClose}>
      {children}
      <TextField
        {...input}
        type={type}
        label={label}
        value={text}
        autoFocus
        {...(hint !== undefined && { hint })}
        {...(error !== undefined && { error })}
        onChange={(event) => setText(event.target.value)}
      />
    </FormDialog>
  );
}
