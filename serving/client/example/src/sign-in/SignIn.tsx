import { useEffect } from "react";
import { Brand } from "../Brand";
import { HAS_BACKEND } from "../settings";
import { People } from "./People";
import { TokenForm } from "./TokenForm";

interface Props {
  /** Why the person has to sign in again; empty the first time. */
  notice: string;
  onToken: (token: string) => void;
}

export function SignIn(props: Props) {
  useEffect(() => {
    document.title = "Sign in to Delete";
  }, []);

  return (
    <main className="sign-in">
      <Brand />
      {HAS_BACKEND ? <People {...props} /> : <TokenForm {...props} />}
    </main>
  );
}
