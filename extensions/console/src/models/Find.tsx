// Finding a model by a part of its name.
import { TextInput } from "@mantine/core";

import { IconSearch } from "../parts/icons";

export function Find({ text, onText }: { text: string; onText: (text: string) => void }) {
  return <TextInput aria-label="Find a model" placeholder="Find a model" value={text} maxLength={200} w={260} leftSection={<IconSearch size={16} />} onChange={(event) => onText(event.currentTarget.value)} />;
}
