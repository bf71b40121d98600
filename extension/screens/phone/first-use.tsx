/** Before there is any phone: what this is and the first step. */
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/notice.tsx";

export function FirstUse({ mayControl, onNew }: { readonly mayControl: boolean; readonly onNew: () => void }) {
  return (
    <div className="first-use">
      <EmptyState
        icon="phone"
        title="No phone yet"
        action={
          mayControl && (
            <Button kind="primary" size="large" icon="plus" onClick={onNew}>
              New phone
            </Button>
          )
        }
      >
        {mayControl
          ? "A web phone is a mobile browser that runs on your server and keeps its state. Make one and drive it here, beside the page."
          : "Your team has no phone yet. Ask its owner to make one."}
      </EmptyState>
    </div>
  );
}
