import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./styles/frame.css";
import "./styles/cards.css";
import "./styles/conversations.css";
import "./styles/decisions.css";
import "./styles/messages.css";
import "./styles/talk.css";
import "./styles/views.css";

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
