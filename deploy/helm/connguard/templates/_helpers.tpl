{{- define "connguard.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "connguard.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "connguard.labels" -}}
{{ include "connguard.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* connguard.yaml: what the rest of the chart relies on is written here and nowhere else. */ -}}
{{- define "connguard.config" -}}
{{- $own := dict
  "version" 1
  "listeners" (list (dict "name" "public" "bind" (printf "0.0.0.0:%d" (int .Values.guard.ports.public))))
  "upstreams" (list (dict "name" "agent" "url" (printf "http://127.0.0.1:%d" (int .Values.agent.port))))
  "admin" (dict
    "bind" (printf "0.0.0.0:%d" (int .Values.guard.ports.admin))
    "token_file" "/etc/connguard-admin/token")
  "shutdown" (dict
    "delay" (printf "%ds" (int .Values.guard.shutdown.delaySeconds))
    "drain" (printf "%ds" (int .Values.guard.shutdown.drainSeconds))) -}}
{{- range $key, $unused := .Values.guard.config -}}
{{- if hasKey $own $key -}}
{{- fail (printf "guard.config.%s: the chart writes this itself" $key) -}}
{{- end -}}
{{- end -}}
{{- toYaml (merge $own .Values.guard.config) -}}
{{- end -}}

{{- define "connguard.securityContext" -}}
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
runAsNonRoot: true
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities:
  drop:
    - ALL
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "connguard.guard" -}}
- name: connguard
  image: "{{ .Values.guard.image.repository }}:{{ .Values.guard.image.tag }}"
  imagePullPolicy: {{ .Values.guard.image.pullPolicy }}
  {{- if .Values.guard.nativeSidecar }}
  restartPolicy: Always
  {{- end }}
  args:
    - -c
    - /etc/connguard/connguard.yaml
    - --watch
  ports:
    - name: public
      containerPort: {{ .Values.guard.ports.public }}
    - name: admin
      containerPort: {{ .Values.guard.ports.admin }}
  {{- if .Values.guard.nativeSidecar }}
  lifecycle:
    # A sidecar's SIGTERM comes after the agent has gone, which is too late. Its hook runs when the Pod begins
    # to end, together with the agent's, which waits for what this one begins.
    preStop:
      exec:
        command:
          - connguard
          - drain
          - --admin
          - 127.0.0.1:{{ .Values.guard.ports.admin }}
          - --token-file
          - /etc/connguard-admin/token
  {{- end }}
  startupProbe:
    httpGet:
      path: /livez
      port: admin
    periodSeconds: 1
    failureThreshold: 30
  readinessProbe:
    httpGet:
      path: /readyz
      port: admin
    periodSeconds: 5
    timeoutSeconds: 2
    failureThreshold: 1
  livenessProbe:
    httpGet:
      path: /livez
      port: admin
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  securityContext:
    {{- include "connguard.securityContext" (dict "user" 65532) | nindent 4 }}
  resources:
    {{- toYaml .Values.guard.resources | nindent 4 }}
  volumeMounts:
    # As folders: a file mounted with subPath never changes again.
    - name: connguard-config
      mountPath: /etc/connguard
      readOnly: true
    - name: connguard-admin
      mountPath: /etc/connguard-admin
      readOnly: true
{{- end -}}
