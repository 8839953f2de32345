{{/* What the server's pods and the pod of `helm test` have in common. */}}

{{- define "ngshare.image" -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest -}}@{{ .Values.image.digest }}{{- else -}}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{/* Who the pod is, and what it may do. It never talks to Kubernetes, and needs no addresses of other Services. */}}
{{- define "ngshare.identity" -}}
serviceAccountName: {{ include "ngshare.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ ternary . (get (ternary dict . (kindIs "string" .)) "name") (kindIs "string" .) | quote }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "ngshare.volumeMounts" -}}
- name: data
  mountPath: /srv/ngshare
  {{- with .Values.persistence.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
- name: config
  mountPath: /etc/ngshare-fs
  readOnly: true
{{- if not (include "ngshare.isStandalone" .) }}
- name: hub-token
  mountPath: /var/run/secrets/ngshare-fs
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* `(list . false)`; true where a pod is to start without the token, so that it can say that it is missing. */}}
{{- define "ngshare.volumes" -}}
{{- $startsWithoutToken := index . 1 -}}
{{- with index . 0 -}}
- name: data
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "ngshare.claimName" . | quote }}
  {{- else }}
  emptyDir: {}
  {{- end }}
- name: config
  configMap:
    name: {{ include "ngshare.nameWith" (list . "config") | quote }}
{{- if not (include "ngshare.isStandalone" .) }}
# Not optional for the server: while the token is missing, the pod waits, and its events name the Secret and the key. It starts as soon as
# they are there.
- name: hub-token
  secret:
    secretName: {{ include "ngshare.tokenSecret" . | quote }}
    {{- if $startsWithoutToken }}
    optional: true
    {{- end }}
    defaultMode: 288 # 0440
    items:
      - key: {{ include "ngshare.tokenKey" . | quote }}
        path: hub-token
{{- end }}
- name: tmp
  emptyDir: {}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Where the pod may run. */}}
{{- define "ngshare.nodes" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}
