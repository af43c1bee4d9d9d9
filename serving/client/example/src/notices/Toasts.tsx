import { Toast } from "./Toast";
import { useNotices } from "./notices";

/** The notices; screen readers read new ones aloud. */
export function Toasts() {
  const { notices } = useNotices();
  return (
    <div className="toasts" aria-live="polite">
      {notices.map((notice) => (
        <Toast key={notice.id} notice={notice} />
      ))}
    </div>
  );
}
