// Who is logged in, and what belongs to the account.
import { Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { useRef } from "react";
import { Link } from "react-router";

import { PREFIX } from "../api/client";
import type { Me } from "../api/views";
import { xsrfValue } from "../api/xsrf";
import { IconChevronUp, IconDeviceDesktop, IconLock, IconLogout, IconMoon, IconSun, IconUser } from "../parts/icons";

export function AccountMenu({ me }: { me: Me | undefined }) {
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const logOut = () => {
    if (field.current !== null) field.current.value = xsrfValue();
    form.current?.submit();
  };
  return (
    <>
      {/* A form, not a call: the answer leads on to the hub's own log-out. */}
      <form ref={form} method="post" action={`${PREFIX}/logout`}>
        <input ref={field} type="hidden" name="_xsrf" />
      </form>
      <Menu position="top-start" width={210}>
        <Menu.Target>
          <UnstyledButton className="code row spread" aria-label="Account">
            <span className="grow">
              <strong className="clip" style={{ display: "block" }}>{me?.name ?? "…"}</strong>
              <span className="soft small clip" style={{ display: "block" }}>{me?.roles.join(", ")}</span>
            </span>
            <IconChevronUp size={16} aria-hidden="true" />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUser size={16} />} component={Link} to="/profile">Profile</Menu.Item>
          <Menu.Item leftSection={<IconLock size={16} />} component="a" href="/hub/change-password">Password</Menu.Item>
          <Menu.Divider />
          <Menu.Label>Looks</Menu.Label>
          {([["light", "Light", IconSun], ["dark", "Dark", IconMoon], ["auto", "As the system", IconDeviceDesktop]] as const)
            .map(([value, name, Sign]) => (
              <Menu.Item key={value} leftSection={<Sign size={16} />} onClick={() => setColorScheme(value)}
                aria-current={colorScheme === value ? "true" : undefined}
                fw={colorScheme === value ? 650 : 400}>
                {name}
              </Menu.Item>
            ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={logOut}>Log out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
