import { useState } from "react";
import { DecisionsProvider } from "./decisions/decisions";
import { Home } from "./Home";
import { NoticesProvider } from "./notices/notices";
import { SessionProvider } from "./session";
import { SignIn } from "./sign-in/SignIn";

const KEPT = "token"; // until the tab is closed

export function App() {
  const [token, setToken] = useState(() => sessionStorage.getItem(KEPT));
  const [notice, setNotice] = useState("");

  function signIn(token: string) {
    sessionStorage.setItem(KEPT, token);
    setNotice("");
    setToken(token);
  }

  function signOut(why = "") {
    sessionStorage.removeItem(KEPT);
    setNotice(why);
    setToken(null);
  }

  if (token === null) return <SignIn notice={notice} onToken={signIn} />;
  return (
    <SessionProvider key={token} token={token} onSignOut={signOut} onSignIn={signIn}>
      <NoticesProvider>
        <DecisionsProvider>
          <Home />
        </DecisionsProvider>
      </NoticesProvider>
    </SessionProvider>
  );
}
