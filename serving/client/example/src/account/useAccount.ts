import { useEffect, useState } from "react";
import type { Person } from "../backend";
import { useNotices } from "../notices/notices";
import { useSession } from "../session";

export interface Account {
  /** Who is signed in; null until it is known, or where no backend says so. */
  me: Person | null;
  /** How often a pause began or ended: what was read before is out of date. */
  changes: number;
  setPaused: (paused: boolean) => Promise<void>;
}

/** Who is signed in, and their pause. A pause is shown once it is saved. */
export function useAccount(): Account {
  const { backend } = useSession();
  const { tell } = useNotices();
  const [me, setMe] = useState<Person | null>(null);
  const [changes, setChanges] = useState(0);

  useEffect(() => {
    backend?.readMe().then(setMe, () => null); // without it the menu has no name; the list says what is wrong
  }, [backend]);

  async function setPaused(paused: boolean) {
    try {
      await backend?.setPaused(paused);
      setMe((before) => before && { ...before, paused });
      setChanges((before) => before + 1);
      tell({ id: "pause", text: paused ? "Your profile is paused." : "Your profile is back." });
    } catch {
      const text = paused ? "Your profile could not be paused." : "Your pause could not be ended.";
      tell({ id: "pause", text, action: { label: "Try again", run: () => void setPaused(paused) }, failed: true });
    }
  }

  return { me, changes, setPaused };
}
