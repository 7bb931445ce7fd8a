// A button for what cannot be undone: it asks first, and says what will happen.
import { Button, Group, Modal, Text, type ButtonProps } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Props extends ButtonProps {
  label: string;
  question: string;
  /** What follows from it. */
  children: ReactNode;
  confirm: string;
  busy?: boolean;
  onConfirm: () => unknown;
}

export function ConfirmButton({ label, question, children, confirm, busy, onConfirm, ...button }: Props) {
  const [open, { open: ask, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" {...button} onClick={ask} loading={busy ?? false}>{label}</Button>
      <Modal opened={open} onClose={close} title={<Text fw={650} component="span">{question}</Text>}
        closeButtonProps={{ "aria-label": "Close" }}>
        <div className="stack">
          <div>{children}</div>
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>Leave it</Button>
            <Button color="red.9" onClick={() => { close(); onConfirm(); }}>{confirm}</Button>
          </Group>
        </div>
      </Modal>
    </>
  );
}
