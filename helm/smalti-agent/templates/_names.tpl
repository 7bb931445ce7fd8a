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
