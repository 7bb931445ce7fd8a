{{/* What all our pods have in common: closed down to Pod Security `restricted`. */}}

{{/* The pod: (dict "root" . "component" "hub" "values" .Values.hub "account" false) */}}
{{- define "smalti.pod" -}}
{{- $root := .root -}}
serviceAccountName: {{ include "smalti.name" $root }}-{{ .component }}
automountServiceAccountToken: {{ .account | default false }}
enableServiceLinks: false
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range $name, $used := . }}
  {{- if $used }}
  - name: {{ $name }}
  {{- end }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $root.Values.user }}
  runAsGroup: {{ $root.Values.user }}
  fsGroup: {{ $root.Values.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- range $name, $toleration := . }}
  {{- if $toleration }}
  - {{- toYaml $toleration | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "smalti.closed" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Volumes of a process: (dict "root" . "component" "hub" "secrets" (list ...) "database" "hub" "s3" true) */}}
{{- define "smalti.volumes" -}}
{{- $root := .root -}}
{{- $name := include "smalti.name" $root -}}
- name: home
  emptyDir:
    sizeLimit: 1Gi
- name: tmp
  emptyDir:
    sizeLimit: 4Gi
- name: places
  configMap:
    name: {{ $name }}-places
- name: settings
  configMap:
    name: {{ $name }}-{{ .component }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ include "smalti.secret" $root }}
          items:
            {{- range .secrets }}
            - key: {{ . }}
              path: {{ . }}
            {{- end }}
      {{- with .database }}
      - secret:
          name: {{ include "smalti.databaseSecret" $root }}
          items:
            - key: {{ .key }}
              path: {{ .path }}
      {{- end }}
      {{- if and .s3 $root.Values.objects.s3.existingSecret }}
      - secret:
          name: {{ $root.Values.objects.s3.existingSecret }}
          items:
            - key: s3.json
              path: s3.json
      {{- end }}
{{- end -}}

{{- define "smalti.mounts" -}}
- name: home
  mountPath: /smalti/home
- name: tmp
  mountPath: /tmp
- name: places
  mountPath: /smalti/home/run
  readOnly: true
- name: secrets
  mountPath: /smalti/home/secrets
  readOnly: true
- name: settings
  mountPath: /smalti/home/smalti_config.json
  subPath: smalti_config.json
  readOnly: true
{{- end -}}

{{/* A digest of what a pod reads at its start, so that a change restarts it: (list root file...) */}}
{{- define "smalti.checksums" -}}
{{- $root := index . 0 -}}
{{- range rest . }}
checksum/{{ . }}: {{ include (printf "%s/%s.yaml" $root.Template.BasePath .) $root | sha256sum }}
{{- end }}
{{- end -}}

{{/* A claim: (dict "root" . "component" "platform" "storage" .Values.platform.storage) */}}
{{- define "smalti.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "smalti.name" .root }}-{{ .component }}
  labels: {{- include "smalti.labels" .root | nindent 4 }}
  {{- if .root.Values.keepData }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes: [{{ .storage.accessMode }}]
  {{- with .storage.className }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .storage.size }}
{{- end -}}
