{{- define "smalti-agent.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "smalti-agent.selector" -}}
app.kubernetes.io/name: smalti-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "smalti-agent.labels" -}}
{{ include "smalti-agent.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* An image: (list root "platform") */}}
{{- define "smalti-agent.image" -}}
{{- $root := index . 0 -}}
{{- $image := index $root.Values.images (index . 1) -}}
{{- $name := printf "%s/%s" (trimSuffix "/" $root.Values.images.registry) $image.name -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (coalesce $image.tag $root.Values.images.tag $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "smalti-agent.workloads" -}}
{{- .Values.workloads.namespace | default (printf "%s-runs" .Release.Namespace) -}}
{{- end -}}

{{- define "smalti-agent.tokenSecret" -}}
{{- .Values.enrolment.existingSecret | default (printf "%s-enrolment" (include "smalti-agent.name" .)) -}}
{{- end -}}

{{- define "smalti-agent.closed" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Bytes of a quantity such as 64Gi. */}}
{{- define "smalti-agent.bytes" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- $number := regexFind "^[0-9.]+" (toString .) -}}
{{- $unit := trimPrefix $number (toString .) -}}
{{- if and $unit (not (hasKey $units $unit)) -}}{{- fail (printf "%v is not an amount of memory, such as 64Gi." .) -}}{{- end -}}
{{- mulf $number (get $units $unit | default 1) | int64 -}}
{{- end -}}

{{/* Names of the Secrets that open the registry, by commas. */}}
{{- define "smalti-agent.pullSecrets" -}}
{{- $names := list -}}
{{- range $name, $used := .Values.images.pullSecrets -}}
{{- if $used -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- join "," $names -}}
{{- end -}}
