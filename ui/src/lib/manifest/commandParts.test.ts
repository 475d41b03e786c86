import { describe, expect, it } from "vitest";

import { commandParts, type CommandParts, sshCommand } from "./commandParts";

const split = (text: string) => commandParts(text.split(" "));
const values = (found: CommandParts | null) => (found === null ? null : Object.fromEntries(found.parts.map(({ name, value }) => [name, value])));

describe("the parts of a command", () => {
  it("are those of its program", () => {
    expect(values(split("ssh -J jump -o A=b ops@bastion -- norouter"))).toEqual({ user: "ops", host: "bastion", port: "", jump: "jump" });
    expect(values(split("/usr/bin/podman exec -i web norouter"))).toEqual({ container: "web" });
    expect(values(split("kubectl --context=staging -n shop exec -i deploy/api -- norouter"))).toEqual({ context: "staging", namespace: "shop", pod: "deploy/api", container: "" });
  });

  it("are not guessed", () => {
    for (const command of ["ssh web1 norouter", "docker exec -i -u root web norouter", "docker run web", "kubectl exec api norouter", "kubectl --request-timeout 5 exec api -- norouter", "./connect web"]) {
      expect(split(command), command).toBeNull();
    }
  });

  it("can be changed one by one, and the rest stays", () => {
    const join = (words: string[] | undefined) => words?.join(" ");
    expect(join(split("ssh -o A=b web1 -- norouter")?.withPart("user", "me"))).toBe("ssh -o A=b me@web1 -- norouter");
    expect(join(split("ssh -o A=b web1 -- norouter")?.withOptions(["-A"]))).toBe("ssh -A web1 -- norouter");
    expect(join(split("podman exec -i web norouter")?.withPart("container", "db"))).toBe("podman exec -i db norouter");
    expect(join(split("kubectl --context=staging exec -i deploy/api -- norouter")?.withPart("namespace", "shop"))).toBe("kubectl --context=staging --namespace=shop exec -i deploy/api -- norouter");
    expect(join(split("kubectl exec -i api -c app -- norouter")?.withPart("pod", "api-0"))).toBe("kubectl exec -i api-0 --container=app -- norouter");
    expect(join(sshCommand(["web1"])?.withPart("port", "2222"))).toBe("-p 2222 web1");
  });
});
