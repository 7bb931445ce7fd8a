// Asks before a page with unsaved text is left for another one.
import { Button, Group, Modal, Text } from "@mantine/core";
import type { Blocker } from "react-router";

export function LeaveQuestion({ blocker }: { blocker: Blocker }) {
  return (
    <Modal opened={blocker.state === "blocked"} onClose={() => blocker.reset?.()} withCloseButton={false}
      title={<Text fw={650} component="span">Leave without saving?</Text>}>
      <div className="stack">
        <p style={{ margin: 0 }}>What you typed is kept in this browser and offered when you edit this file again.</p>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => blocker.proceed?.()}>Leave</Button>
          <Button data-autofocus onClick={() => blocker.reset?.()}>Stay here</Button>
        </Group>
      </div>
    </Modal>
  );
}
