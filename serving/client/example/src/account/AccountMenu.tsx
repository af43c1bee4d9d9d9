import { useRef } from "react";
import { displayName } from "../Name";
import { Portrait } from "../Portrait";
import { useSession } from "../session";
import type { Account } from "./useAccount";

/** Pause and sign out; sign out alone where nothing writes. */
export function AccountMenu({ account: { me, setPaused } }: { account: Account }) {
  const { backend, signOut } = useSession();
  const menu = useRef<HTMLDivElement>(null);
  const leave = (
    <button type="button" className="plain" onClick={() => signOut()}>
      Sign out
    </button>
  );
  if (backend === null) return leave;

  function change(paused: boolean) {
    menu.current?.hidePopover();
    void setPaused(paused);
  }

  return (
    <div className="account">
      <button type="button" className="plain" popoverTarget="account-menu">
        {me && <Portrait person={me} />}
        <bdi>{me ? displayName(me) : "Account"}</bdi>
      </button>
      <div ref={menu} id="account-menu" popover="auto">
        {me && (
          <button type="button" className="plain" onClick={() => change(!me.paused)}>
            {me.paused ? "End the pause" : "Pause my profile"}
          </button>
        )}
        {leave}
      </div>
    </div>
  );
}
