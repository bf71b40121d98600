/** What each role may do: the very table the server enforces. */
import { ROLES, type Role } from "../../../shared/access.ts";
import { Icon } from "../../components/icon.tsx";
import { Card } from "../../components/surface.tsx";
import { PERMISSION_WORDS, permissionMatrix, ROLE_WORDS } from "./model/role-words.ts";

export function RolesCard({ mine }: { readonly mine: Role }) {
  return (
    <Card>
      <details className="roles">
        <summary>
          <Icon name="chevronRight" />
          <span className="list-text">
            <span className="list-title">What each role may do</span>
          </span>
        </summary>
        <table className="role-matrix">
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Permission</span>
              </th>
              {ROLES.map((role) => (
                <th scope="col" key={role} className={role === mine ? "role-mine" : undefined}>
                  <span>
                    {ROLE_WORDS[role]}
                    {role === mine && <span className="sr-only"> (you)</span>}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {permissionMatrix().map(({ permission, roles }) => (
              <tr key={permission}>
                <th scope="row">{PERMISSION_WORDS[permission]}</th>
                {ROLES.map((role) => (
                  <td key={role} className={role === mine ? "role-mine" : undefined}>
                    {roles.includes(role) ? (
                      <>
                        <Icon name="check" />
                        <span className="sr-only">yes</span>
                      </>
                    ) : (
                      <>
                        <span aria-hidden="true" className="role-no">
                          –
                        </span>
                        <span className="sr-only">no</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Card>
  );
}
