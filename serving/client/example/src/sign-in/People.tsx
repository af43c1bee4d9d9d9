import { useCallback, useEffect, useState } from "react";
import { type Person, readPeople, signInAs } from "../backend";
import { Name } from "../Name";
import { Portrait } from "../Portrait";
import { TokenForm } from "./TokenForm";

interface Props {
  notice: string;
  onToken: (token: string) => void;
}

const UNREACHABLE = "The demo people cannot be reached.";
const NOBODY = "There are no simulated people here; make demo brings some.";

/** The simulated people, to choose one of; and a token for who has one. */
export function People({ notice, onToken }: Props) {
  const [people, setPeople] = useState<Person[]>();
  const [error, setError] = useState("");

  const read = useCallback(async () => {
    try {
      const people = await readPeople();
      setPeople(people);
      setError(people.length === 0 ? NOBODY : "");
    } catch {
      setError(UNREACHABLE);
    }
  }, []);

  useEffect(() => void read(), [read]);

  async function choose(person: Person) {
    try {
      onToken(await signInAs(person.id));
    } catch {
      setError(UNREACHABLE);
    }
  }

  return (
    <>
      <div className="panel">
        <h1>Sign in</h1>
        <p className="quiet">Choose whom you want to be. These people are simulated, and so are their portraits.</p>
        <p role="alert" className="error">
          {error}
        </p>
        {error === UNREACHABLE && (
          <button type="button" onClick={read}>
            Try again
          </button>
        )}
        <ul className="people" role="list" aria-busy={people === undefined && error === ""}>
          {people?.map((person) => (
            <li key={person.id}>
              <button type="button" onClick={() => choose(person)}>
                <Portrait person={person} />
                <span>
                  <Name candidate={person} />
                  {person.paused && <span className="quiet"> (paused)</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
      <details open={error !== "" || notice !== ""}>
        <summary>Sign in with a token</summary>
        <TokenForm notice={notice} onToken={onToken} heading="h2" />
      </details>
    </>
  );
}
