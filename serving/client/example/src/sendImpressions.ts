import type { Impression } from "@delete/matching-client";

/** Sends a batch to the receiver in the development server; an app sends it to its own backend, which knows the viewer. */
export async function sendImpressions(batch: Impression[]): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/impressions", { method: "POST", headers, body: JSON.stringify(batch), keepalive: true });
  if (!response.ok) throw new Error(`impressions were refused with status ${response.status}`);
}
