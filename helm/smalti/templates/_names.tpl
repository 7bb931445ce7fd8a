{{/* Names, labels and images: what every template agrees on. */}}

{{- define "smalti.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "smalti.labels" -}}
app.kubernetes.io/name: smalti
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Selector of one component's pods: (list root component) */}}
{{- define "smalti.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: smalti
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* An image: (list root "hub") */}}
{{- define "smalti.image" -}}
{{- $root := index . 0 -}}
{{- $image := index $root.Values.images (index . 1) -}}
{{- $name := printf "%s/%s" (trimSuffix "/" $root.Values.images.registry) $image.name -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (coalesce $image.tag $root.Values.images.tag $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "smalti.secret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "smalti.name" .)) -}}
{{- end -}}

{{- define "smalti.databaseSecret" -}}
{{- .Values.database.existingSecret | default (printf "%s-database" (include "smalti.name" .)) -}}
{{- end -}}

{{- define "smalti.workloads" -}}
{{- .Values.workloads.namespace | default (printf "%s-runs" .Release.Namespace) -}}
{{- end -}}

{{/* A service's name in the cluster: (list root "hub") */}}
{{- define "smalti.host" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s.%s.svc.cluster.local" (include "smalti.name" $root) (index . 1) $root.Release.Namespace -}}
{{- end -}}

{{- define "smalti.publicHost" -}}
{{- (urlParse .Values.publicUrl).hostname -}}
{{- end -}}

{{/* A database's URL without its password: (list root "hub" driver) */}}
{{- define "smalti.databaseUrl" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $database := $root.Values.database -}}
{{- $host := $database.external.host -}}
{{- $port := $database.external.port -}}
{{- if eq $database.mode "trial" -}}
{{- $host = include "smalti.host" (list $root "database") -}}
{{- $port = 5432 -}}
{{- end -}}
{{- $url := printf "postgresql+psycopg://%s@%s:%v/%s" (index $database.users $name) $host $port (index $database.names $name) -}}
{{- $options := list -}}
{{- range $key, $value := $database.external.options -}}
{{- if and $value (eq $database.mode "external") -}}
{{- $options = append $options (printf "%s=%s" $key (urlquery $value)) -}}
{{- end -}}
{{- end -}}
{{- if $options -}}{{- printf "%s?%s" $url (join "&" $options) -}}{{- else -}}{{- $url -}}{{- end -}}
{{- end -}}

{{/* Environment from a map: a text, or what valueFrom says. */}}
{{- define "smalti.env" -}}
{{- range $name, $value := . }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  valueFrom: {{- toYaml $value | nindent 4 }}
  {{- else }}
  value: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Bytes of a quantity such as 64Gi. */}}
{{- define "smalti.bytes" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- $number := regexFind "^[0-9.]+" (toString .) -}}
{{- $unit := trimPrefix $number (toString .) -}}
{{- if and $unit (not (hasKey $units $unit)) -}}{{- fail (printf "%v is not an amount of memory, such as 64Gi." .) -}}{{- end -}}
{{- mulf $number (get $units $unit | default 1) | int64 -}}
{{- end -}}

{{/* Names of the Secrets that open the registry, by commas. */}}
{{- define "smalti.pullSecrets" -}}
{{- $names := list -}}
{{- range $name, $used := .Values.images.pullSecrets -}}
{{- if $used -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- join "," $names -}}
{{- end -}}
