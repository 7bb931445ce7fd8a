// One line of a log.
import { memo } from "react";

import { spans } from "./ansi";

interface Props {
  number: number;
  text: string;
  top: number;
  found: boolean;
  current: boolean;
}

export const LogLine = memo(function LogLine({ number, text, top, found, current }: Props) {
  const name = `log-line${found ? " found" : ""}${current ? " current" : ""}`;
  return (
    <div className={name} style={{ transform: `translateY(${top}px)` }}>
      <span className="log-number" aria-hidden="true">{number}</span>
      <span className="log-text">
        {spans(text).map((span, index) => span.style === "" ? span.text : <span key={index} className={span.style}>{span.text}</span>)}
      </span>
    </div>
  );
});
