import { type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  /** Of the button, and of the one in the dialog that confirms. */
  label: string;
  title: ReactNode;
  /** If it fails, the dialog stays open and says so. */
  onConfirm: () => Promise<void>;
  children: ReactNode;
}

/** A button for what cannot be undone: a dialog asks first. */
export function ConfirmButton(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="plain" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {props.label}
      </button>
      {open && <ConfirmDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function ConfirmDialog({ label, title, onConfirm, onClose, children }: Props & { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  const [status, setStatus] = useState<"open" | "saving" | "failed">("open");

  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);

  async function confirm() {
    if (status === "saving") return;
    setStatus("saving");
    try {
      await onConfirm();
      dialog.current?.close();
    } catch {
      setStatus("failed");
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={onClose}>
      <h2 id={name}>{title}</h2>
      <p>{children}</p>
      <p role="alert" className="error">
        {status === "failed" ? "This was not saved. Please try again." : ""}
      </p>
      <div className="choices">
        <button type="button" className="plain" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" onClick={confirm} aria-disabled={status === "saving"}>
          {label}
        </button>
      </div>
    </dialog>
  );
}
