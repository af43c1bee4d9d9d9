import { type Candidate, promptTitle, type Titles } from "@delete/matching-client";

/** The interests and answers of a candidate. */
export function Profile({ candidate, titles }: { candidate: Candidate; titles: Titles | null }) {
  return (
    <>
      {candidate.interests.length > 0 && (
        <section>
          <h2>Interests</h2>
          <ul className="interests" role="list">
            {candidate.interests.map((interest) => (
              <li key={interest} dir="auto">
                {interest}
              </li>
            ))}
          </ul>
        </section>
      )}
      {Object.entries(candidate.texts).map(([prompt, answer]) => (
        <section key={prompt} className="answer">
          <h2 dir="auto">{promptTitle(prompt, titles)}</h2>
          <p dir="auto">{answer}</p>
        </section>
      ))}
    </>
  );
}
