import type { Candidate } from "@delete/matching-client";
import { signInAs } from "../backend";
import { Called } from "../Name";
import { useNotices } from "../notices/notices";
import { useSession } from "../session";

/** Goes on as the other person, to see the same from there. For development: an app has nothing of the kind. */
export function ContinueAs({ candidate, address }: { candidate: Candidate; address: string }) {
  const { backend, signIn } = useSession();
  const { tell } = useNotices();
  if (backend === null) return null;
  const name = <Called candidate={candidate} />;

  async function go() {
    try {
      const token = await signInAs(candidate.id);
      location.hash = address;
      signIn(token);
    } catch {
      tell({ id: "continue", text: <>You cannot go on as {name}: only simulated people are there for it.</>, failed: true });
    }
  }

  return (
    <button type="button" className="plain" onClick={go}>
      Continue as {name} (development)
    </button>
  );
}
