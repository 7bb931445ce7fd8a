// A line of text that people take elsewhere: a command, an address, a token.
import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "./icons";

export function CopyLine({ text, name }: { text: string; name: string }) {
  return (
    <div className="row" style={{ flexWrap: "nowrap" }}>
      <code className="code grow" style={{ padding: "7px 12px" }} tabIndex={0} aria-label={name}>{text}</code>
      <CopyButton value={text} timeout={1500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : `Copy ${name}`}>
            <ActionIcon variant="default" size="lg" onClick={copy} aria-label={copied ? "Copied" : `Copy ${name}`}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
